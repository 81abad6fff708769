"""Prints, as JSON, what plain Python prints for each program of a TOML table: no recorder, no guards.

    python plain_python.py programs.toml table

torch is imported once; each program runs in a fork of its own, from the same seed.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tomllib
import traceback
import warnings
from pathlib import Path

import torch

SEED = 0


def printed(code: str) -> str:
    """What a program prints, and the traceback where it fails."""
    read, write = os.pipe()
    if os.fork() == 0:
        os.dup2(write, 1)
        warnings.simplefilter("ignore")
        torch.set_num_threads(1)
        torch.manual_seed(SEED)
        random.seed(SEED)
        try:
            exec(compile(code, "<program>", "exec"), {"__name__": "__main__"})
        except BaseException:
            print(traceback.format_exc())
        sys.stdout.flush()
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as end:
        text = end.read()
    os.wait()
    return text


def main() -> None:
    """Runs every program of the table."""
    file, table = sys.argv[1:]
    programs = tomllib.loads(Path(file).read_text("utf-8"))[table]
    print(json.dumps({program["name"]: printed(program["code"]) for program in programs}))


if __name__ == "__main__":
    main()
