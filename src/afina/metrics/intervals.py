"""Provisional."""
from __future__ import annotations
from dataclasses import dataclass
import numpy as np
@dataclass(frozen=True)
class Interval:
    value: float; low: float; high: float
def bootstrap(table, metric, *, resamples=1000, level=0.95, seed=0, groups=None):
    n=len(next(iter(table.values()))); g=np.random.default_rng(seed)
    v=[]
    for _ in range(resamples):
        i=g.integers(0,n,n); v.append(metric({k:c[i] for k,c in table.items()}))
    lo,hi=np.nanquantile(v,[.025,.975])
    return Interval(metric(table),float(lo),float(hi))
