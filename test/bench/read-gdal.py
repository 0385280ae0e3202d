"""Run by read.bench.ts: seconds that GDAL takes for windows of a scene, read as `read.bench.ts` reads them.

    python3 read-gdal.py PATH SIZE STEP
"""
import sys
import time
from osgeo import gdal

gdal.UseExceptions()
path, size, step = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
start = time.perf_counter()
dataset = gdal.Open(path)
for y in range(0, max(1, dataset.RasterYSize - size + 1), step):
    for x in range(0, max(1, dataset.RasterXSize - size + 1), step):
        dataset.ReadRaster(x, y, min(size, dataset.RasterXSize), min(size, dataset.RasterYSize))
print(time.perf_counter() - start)
