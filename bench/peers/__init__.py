"""What people would pick instead, each set up as its own documentation advises for production.

A peer is a folder here: `program/` is what its users would write, with a lock of everything it stands on; the module of
the folder says how it is installed, started and asked. One process, users in Postgres, sessions in Redis, Argon2id at
the parameters that Bottomline is measured with, limits on log-ins off as they are for Bottomline.

A program is told by its environment: PORT (it listens on 127.0.0.1), DATABASE_URL (an empty Postgres database of its
own), REDIS_URL, SECRET, ARGON2_TIME, ARGON2_MEMORY_KIB.
"""
