"""Argon2id at the parameters that are measured."""

import os

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2idPasswordHasher(Argon2PasswordHasher):
    time_cost = int(os.environ["ARGON2_TIME"])
    memory_cost = int(os.environ["ARGON2_MEMORY_KIB"])
    parallelism = 1
