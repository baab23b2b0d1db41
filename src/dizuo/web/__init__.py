"""The HTTP shell: everything between a socket and a handler, and nothing about any engine.

1. ``Route`` and ``Door``: the table of addresses; a row without purpose and who does not start.
2. ``Shell`` and ``build``: one way through for every request: preferences, session, form check, handler, errors,
   headers, one log line without anything personal.
3. ``WebRequest``: what a handler gets; ``page``, ``answer``, ``redirect``, ``json``, ``attachment``: what it gives back.
4. ``Gate``: how the application tells the shell who holds a session.
5. Templates are minijinja, always escaped; components in ``templates/components.html``, seen at ``/-/patterns``.
6. Sentences are text in ``words.zh.yaml`` and ``words.en.yaml``; both must say the same.
7. No inline style or script: the Content-Security-Policy forbids them.
"""

from .errors import BadForm, ForgedForm, NoSuchPage, TooLarge, WrongDoor
from .forms import Form, SentFile, human_size
from .preferences import Preferences, local_path
from .request import WebRequest
from .responses import answer, attachment, json, page, redirect
from .routes import Door, Route, RouteTableError, check_routes
from .sessions import ClosedGate, Gate
from .shell import Shell, build
from .site import Site
from .tokens import ONCE_FIELD
from .uploads import Files

__all__ = [
    "ONCE_FIELD",
    "BadForm",
    "ClosedGate",
    "Door",
    "Files",
    "ForgedForm",
    "Form",
    "Gate",
    "NoSuchPage",
    "Preferences",
    "Route",
    "RouteTableError",
    "SentFile",
    "Shell",
    "Site",
    "TooLarge",
    "WebRequest",
    "WrongDoor",
    "answer",
    "attachment",
    "build",
    "check_routes",
    "human_size",
    "json",
    "local_path",
    "page",
    "redirect",
]
