"""The commands of `dizuo`: each module is one command or a close family of them.

To recap: 1. every command is a function `run(arguments) -> int`; 2. the exit code is 0 when the thing is done,
1 when it found what it looks for (errors in a declaration, an altered ledger), 2 when it could not run;
3. whatever takes time shows progress; 4. nothing is printed that a person could not act on.
"""
