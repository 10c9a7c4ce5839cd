"""A sandbox for code that nobody has read: tools of users, of models, and stdio MCP servers.

Covered, at the level `strict`, each by more than one layer where the kernel allows it:

- files: a tool sees the interpreter, the libraries, its own module and an empty scratch folder of limited
  size; all but the scratch folder is read-only (own mount namespace, Landlock);
- other processes: it sees none, and can neither signal, trace nor start one (own process namespace, seccomp);
- the network: there is none, not even loopback or Unix sockets (own network namespace, seccomp, Landlock);
- the kernel: mounting, namespaces, bpf, keys, modules, io_uring and the like are refused (seccomp), and no
  privilege can be gained (no_new_privs, all capabilities dropped, own user namespace);
- resources: memory, open files, file size and wall time are limited; the whole process tree is killed at once.

Not covered: flaws of the kernel itself; how much processor time is used within the time limit; side channels
between processes; and what the tools of one source do to one another inside their common process, of which
the worker notices the plain cases (changed globals, surviving threads) and starts afresh.
"""

from data_pipeline.tools.sandbox.command import LEVELS, Level, SandboxRecord, best_level, python_command, server_command

__all__ = ["LEVELS", "Level", "SandboxRecord", "best_level", "python_command", "server_command"]
