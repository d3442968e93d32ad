"""Run every benchmark and print what was promised beside what was measured: `make bench`."""

import bench_heatmaps
import bench_import
import bench_information
import bench_kernels

if __name__ == "__main__":
    for bench in (bench_kernels, bench_information, bench_import, bench_heatmaps):
        print(f"\n=== {bench.__doc__.splitlines()[0]}", flush=True)
        bench.main()
