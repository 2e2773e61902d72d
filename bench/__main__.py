"""``python -m bench [NAME …]``: run these benches, or all; each also runs alone with options of its own."""

import subprocess
import sys
from pathlib import Path

PARTS = {"__init__", "__main__", "measure", "report", "houses", "peers", "filling"}
BENCHES = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in PARTS)


def main(names: list[str]) -> int:
    """Run benches one after the other and say how many promises were missed."""
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        print(f"There is no bench {', '.join(unknown)}. Use one of: {', '.join(BENCHES)}.")
        return 2
    codes = [
        subprocess.run([sys.executable, "-m", f"bench.{name}"], check=False).returncode  # noqa: S603 - our own
        for name in names or BENCHES
    ]
    return max(codes, default=0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
