"""WHERE TO TRY: the site on real kernels, on one Linux machine."""
