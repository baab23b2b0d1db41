"""Cases (办件): from a plan to a decision, one application number for everything that a person asked for.

1. ``plan`` works out what applies, what is asked, what is read, and when it will be done; pure.
2. ``submit`` turns a form into an application, once, durable before it is acknowledged.
3. Items run in parallel, each with its own steps, clock, decision and document.
4. Officials see and do what their post, place and the item's power allow; the policy says so.
5. Decisions can be undone for ten minutes; then they take effect.
6. The history is only ever added to, and exports as XES and OCEL 2.0.
"""
