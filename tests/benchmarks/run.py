"""Run every benchmark and print what was promised beside what was measured: `make bench`."""

import bench_fourier
import bench_graph
import bench_heatmaps
import bench_import
import bench_information
import bench_kernels
import bench_storage
import bench_triplets

if __name__ == "__main__":
    for bench in (
        bench_kernels,
        bench_information,
        bench_triplets,
        bench_fourier,
        bench_storage,
        bench_import,
        bench_heatmaps,
        bench_graph,
    ):
        print(f"\n=== {bench.__doc__.splitlines()[0]}", flush=True)
        bench.main()
