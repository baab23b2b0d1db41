"""The kernel: what every room of the house may lean on, pure and without I/O.

1. ``errors``        one root, a few families; the class docstring is the message a person reads.
2. ``identity``      公民身份号码 (GB 11643), 统一社会信用代码 (GB 32100); ``names``: 姓名.
3. ``calendar``      workdays and working hours; a year that nobody published is unknown, never guessed.
4. ``clocks``        statutory clocks: due dates, pauses, one extension, colours; ``terms``: units and lengths.
5. ``clock_source``  where "now" comes from; the only clock that tests may replace.
6. ``canonical``     one byte string per JSON value, for hashing.
7. ``geometry``      distance on the earth's surface.

Import the module, not this package: ``from dizuo.foundation.kernel.clocks import due``.
"""
