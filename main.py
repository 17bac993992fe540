"""The door: makes the environment on a fresh machine, then hands over to the program.

python3 main.py             the window
python3 main.py demo        everything once, on a clip that the program makes itself
python3 main.py test        the test suite
python3 main.py --help      everything else
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - whoever types python3 may have an older one
    sys.exit(f"Understudy needs Python 3.11 or newer; this is {sys.version.split()[0]}.")

from app.bootstrap import start

if __name__ == "__main__":
    raise SystemExit(start(sys.argv[1:]))
