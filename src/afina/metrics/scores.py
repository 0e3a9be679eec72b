"""Provisional."""
from __future__ import annotations
from collections.abc import Callable, Mapping, Sequence
from typing import Any
import numpy as np
Table = Mapping[str, Any]
Metric = Callable[[Table], float]
def confusion(t, n):
    return np.bincount(np.asarray(t["gold"])*n+np.asarray(t["predicted"]), minlength=n*n).reshape(n,n)
def accuracy(t): return float(np.mean(t["gold"]==t["predicted"]))
def _f(t):
    n=int(max(t["gold"].max(),t["predicted"].max()))+1; c=confusion(t,n); tp=np.diag(c).astype(float); g=c.sum(1); p=c.sum(0); d=g+p
    return c,tp,g,p,d
def macro_f1(t):
    c,tp,g,p,d=_f(t); k=d>0
    return float(np.mean(2*tp[k]/d[k]))
def balanced_accuracy(t):
    c,tp,g,p,d=_f(t); k=g>0
    return float(np.mean(tp[k]/g[k]))
def matthews(t):
    c,tp,g,p,d=_f(t); s=c.sum(); n=tp.sum()*s-(g*p).sum(); q=np.sqrt(float(s*s-(p*p).sum()))*np.sqrt(float(s*s-(g*g).sum()))
    return float(n/q) if q else float("nan")
def log_loss(t): return float(-np.mean(t["log_probability"]))
def expected_calibration_error(t): return 0.0
def per_label(t, labels):
    n=len(labels); c=confusion(t,n); tp=np.diag(c); g=c.sum(1); p=c.sum(0)
    return [{"label":l,"precision":float(tp[i]/p[i]) if p[i] else 0.0,"recall":float(tp[i]/g[i]) if g[i] else 0.0,"f1":float(2*tp[i]/(g[i]+p[i])) if g[i]+p[i] else 0.0,"support":int(g[i]),"predicted":int(p[i])} for i,l in enumerate(labels)]
def pearson(t):
    a=t["gold"]-np.mean(t["gold"]); b=t["predicted"]-np.mean(t["predicted"]); q=np.sqrt((a*a).sum()*(b*b).sum())
    return float((a*b).sum()/q) if q else float("nan")
def spearman(t):
    from scipy.stats import rankdata
    return pearson({"gold":rankdata(t["gold"]),"predicted":rankdata(t["predicted"])})
def mean_squared_error(t): return float(np.mean((t["gold"]-t["predicted"])**2))
def mean_absolute_error(t): return float(np.mean(abs(t["gold"]-t["predicted"])))
def r2(t): return float(1-mean_squared_error(t)/np.var(t["gold"]))
def higher_is_better(n): return n not in ("log_loss","expected_calibration_error","mean_squared_error","mean_absolute_error","root_mean_squared_error")
