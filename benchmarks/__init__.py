"""Speed and memory, measured: medians, and ratios against a floor in the same run."""
