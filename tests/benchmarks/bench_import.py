"""What importing costs, beside starting Python.

Whole processes, five of each in turn; medians.
"""

import statistics
import subprocess
import sys
import time


def seconds(code: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - start


def main() -> None:
    rounds = [(seconds("pass"), seconds("import nbwidgets_nn"), seconds("import torch")) for _ in range(5)]
    bare, ours, torch = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(
        f"import nbwidgets_nn: {ours - bare:.3f} s beyond Python itself (bound 0.3 s); import torch: {torch - bare:.3f} s"
    )


if __name__ == "__main__":
    main()
