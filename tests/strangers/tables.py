"""Tables: CSV exports of trackers, loggers' CSVs, results tables."""

# ruff: noqa: E501 - lines as they are printed
from __future__ import annotations

from tests.strangers import stranger

stranger(
    "W&B", "W&B's wide export of one chart",
    '"Step","gated - val/loss","gated - val/loss__MIN","gated - val/loss__MAX","plain - val/loss","plain - val/loss__MIN","plain - val/loss__MAX"\n'
    '"0","10.8012","10.8012","10.8012","10.8112","10.8112","10.8112"\n"100","5.1012","5.1012","5.1012","5.2012","5.2012","5.2012"\n'
    '"200","4.1012","4.1012","4.1012","4.3012","4.3012","4.3012"\n',
    (4.1012, 200, 4.1012, 200), (4.3012, 200, 4.3012, 200),
)  # fmt: skip
stranger(
    "W&B", "W&B's wide export, runs of unequal length",
    '"train/global_step","lr3e-4-s1 - eval/loss","lr3e-4-s1 - eval/loss__MIN","lr3e-4-s1 - eval/loss__MAX","lr1e-3-s1 - eval/loss",'
    '"lr1e-3-s1 - eval/loss__MIN","lr1e-3-s1 - eval/loss__MAX"\n'
    '"100","5.1012","5.1012","5.1012","5.2012","5.2012","5.2012"\n"200","4.1012","4.1012","4.1012","","",""\n'
    '"300","4.0012","4.0012","4.0012","","",""\n',
    (4.0012, 300, 4.0012, 300), (5.2012, 100, 5.2012, 100),
)  # fmt: skip
stranger(
    "W&B", "W&B's table of runs",
    '"Name","State","Notes","User","Tags","Created","Runtime","Sweep","lr","seed","train/loss","val/loss"\n'
    '"gated","finished","-","me","","2024-05-01T10:00:00.000Z","3601","","0.001","1","4.0012","4.1012"\n'
    '"plain","finished","-","me","","2024-05-01T11:00:00.000Z","3501","","0.001","1","4.2012","4.3012"\n',
    (4.1012, None, 4.1012, None), (4.3012, None, 4.3012, None),
)  # fmt: skip
stranger(
    "W&B", "W&B's history",
    "_step,_runtime,_timestamp,train/loss,val/loss,lr\n0,1.2,1714557600.1,10.9012,10.8012,0.0001\n100,61.2,1714557660.1,5.3012,,0.001\n"
    "200,121.2,1714557720.1,4.3012,4.4012,0.001\n",
    (4.4012, 200, 4.4012, 200), trained=3, seconds=121.2,
)  # fmt: skip
stranger(
    "TensorBoard", "TensorBoard's export of one tag",
    {"gated_val_loss.csv": "Wall time,Step,Value\n1714557600.1,100,5.101200103759766\n1714557660.1,200,4.101200103759766\n"},
    finding="unlabelled_columns",
)  # fmt: skip
stranger(
    "Lightning", "Lightning's CSVLogger",
    {
        "lightning_logs/version_0/metrics.csv": "epoch,step,train_loss,val_loss\n0,49,5.101200103759766,\n0,99,4.501200103759766,\n"
        "0,99,,4.401200103759766\n1,149,4.101200103759766,\n1,199,,4.001200103759766\n",
        "lightning_logs/version_0/hparams.yaml": "lr: 0.001\nseed: 1\n",
    },
    (4.001200103759766, 199, 4.001200103759766, 199), trained=3,
)  # fmt: skip
stranger(
    "Lightning", "Lightning's CSVLogger, losses by step and by epoch",
    "epoch,lr-AdamW,step,train_loss_epoch,train_loss_step,val_loss\n,0.001,49,,,\n0,,49,,5.1012,\n0,,99,,,4.4012\n0,,99,4.9012,,\n1,,149,,4.1012,\n1,,199,,,4.0012\n",
    (4.0012, 199, 4.0012, 199), trained=2,
)  # fmt: skip
stranger(
    "Keras", "Keras' CSVLogger",
    "epoch,accuracy,loss,val_accuracy,val_loss\n0,0.05,6.1012,0.06,5.9012\n1,0.15,5.1012,0.16,5.0012\n2,0.2,4.9012,0.16,5.1012\n",
    (5.0012, 1, 5.1012, 2), trained=3,
)  # fmt: skip
stranger(
    "MLflow", "MLflow's folder of metrics",
    {
        "mlruns/0/8c1a2b3c4d5e6f708192a3b4c5d6e7f8/meta.yaml": "artifact_uri: file:///x\nrun_id: 8c1a2b3c4d5e6f708192a3b4c5d6e7f8\nrun_name: gated\n",
        "mlruns/0/8c1a2b3c4d5e6f708192a3b4c5d6e7f8/params/lr": "0.001",
        "mlruns/0/8c1a2b3c4d5e6f708192a3b4c5d6e7f8/metrics/val_loss": "1714557600123 5.1012 100\n1714557660123 4.1012 200\n",
        "mlruns/0/8c1a2b3c4d5e6f708192a3b4c5d6e7f8/metrics/train_loss": "1714557600123 5.0012 100\n1714557660123 4.0012 200\n",
    },
    (4.1012, 200, 4.1012, 200), trained=2,
)  # fmt: skip
stranger(
    "results", "a table that knows only the best",
    "model,params,best_val_loss,best_step,lr\nvanilla,25000000,4.5524,13500,0.0003\ngated,25100000,4.5012,15000,0.0003\n",
    (4.5524, 13500, 4.5524, 13500), (4.5012, 15000, 4.5012, 15000), finding="only_best",
)  # fmt: skip
stranger(
    "results", "a table that knows only the best, without its step",
    "run,seed,best_val_loss,train_time_s\na,1,4.5524,100.5\nb,2,4.5012,101.5\n",
    (4.5524, None, 4.5524, None), (4.5012, None, 4.5012, None), finding="only_best",
)  # fmt: skip
stranger(
    "results", "best and final",
    "config,seed,best_val,best_step,final_val,steps,time_s\nbase,1,4.51,900,4.55,1000,601.2\nwide,1,4.41,1000,4.41,1000,701.2\n",
    (4.51, 900, 4.55, 1000), (4.41, 1000, 4.41, 1000),
)  # fmt: skip
stranger(
    "results", "the loss with its spread is no run",
    "model,n_seeds,val_loss_mean,val_loss_std\nbase,3,4.55,0.01\nwide,3,4.41,0.02\n",
    finding="aggregate_table",
)  # fmt: skip
stranger(
    "results", "semicolons, decimal commas, a title",
    "Results of the sweep\nname;lr;val_loss;steps\na;0,001;4,5512;1000\nb;0,003;4,4512;1000\n",
    (4.4512, 1000, 4.4512, 1000), (4.5512, 1000, 4.5512, 1000),
)  # fmt: skip
stranger(
    "curves", "one column a run",
    "step,vanilla,gated\n100,5.2012,5.1012\n200,4.3012,4.1012\n",
    finding="unlabelled_columns",
)  # fmt: skip
stranger(
    "curves", "one column a run and metric",
    "step,vanilla_val_loss,gated_val_loss,vanilla_train_loss,gated_train_loss\n100,5.2012,5.1012,5.1,5.0\n200,4.3012,4.1012,4.2,4.0\n",
    (4.1012, 200, 4.1012, 200), (4.3012, 200, 4.3012, 200), trained=4,
)  # fmt: skip
stranger(
    "curves", "long form: step, metric, value",
    "run,step,metric,value\na,100,train_loss,5.1\na,100,val_loss,5.2\na,200,train_loss,4.1\na,200,val_loss,4.2\nb,100,val_loss,5.3\nb,200,val_loss,4.4\n",
    (4.2, 200, 4.2, 200), (4.4, 200, 4.4, 200), trained=2,
)  # fmt: skip
stranger(
    "curves", "an index column, a split column",
    ",step,split,loss,ppl\n0,100,train,5.1012,164.2\n1,100,val,5.2012,181.5\n2,200,train,4.1012,60.4\n3,200,val,4.2012,66.8\n",
    (4.2012, 200, 4.2012, 200), trained=2,
)  # fmt: skip
stranger(
    "curves", "tokens instead of steps",
    "tokens,train_loss,val_loss\n1000000,5.1012,5.2012\n2000000,4.1012,4.2012\n3000000,3.9012,4.0012\n",
    (4.0012, None, 4.0012, None), trained=3,
)  # fmt: skip
stranger(
    "curves", "the header again after a restart",
    "step,loss,val_loss,elapsed\n100,5.1,5.2,10.0\n200,4.1,4.2,20.0\nstep,loss,val_loss,elapsed\n200,4.0,4.1,10.0\n300,3.9,4.0,20.0\n",
    (4.0, 300, 4.0, 300),
)  # fmt: skip
stranger(
    "curves", "perplexity and no loss",
    "step,val_ppl\n100,181.5\n200,66.8\n",
    None,
)  # fmt: skip
stranger(
    "curves", "text from pandas",
    "   step  train_loss  val_loss\n0   100      5.1012    5.2012\n1   200      4.1012    4.2012\n2   300      3.9012    4.3012\n",
    (4.2012, 200, 4.3012, 300), trained=3,
)  # fmt: skip
stranger(
    "torchtune", "a log of columns",
    {"metrics.tsv": "step\tloss/train\tloss/val\tlr\n10\t5.1\t\t0.001\n20\t4.1\t4.2\t0.001\n30\t3.9\t4.0\t0.001\n"},
    (4.0, 30, 4.0, 30), trained=3,
)  # fmt: skip
stranger(
    "Markdown", "bold numbers, a step with a word",
    {"results.md": "# Results\n\n| **Step** | Val loss (lower is better) | Val loss | Score (400) |\n|---|---:|---|---|\n| 1,000 | - | 4.5012 | 31.2% |\n"
     "| 2,000 | - | *4.4012* | 31.9% |\n| **30,000 (final)** | - | **4.1012** | **33.3%** |\n"},
    (4.1012, 30000, 4.1012, 30000),
)  # fmt: skip
stranger(
    "Markdown", "checkpoints by their iteration",
    {"results.md": "| Checkpoint (iter) | Tokens | Val Loss | Score (400) |\n|---|---|---|---|\n| 1,500 | 0.4B | 4.5012 | 31.2% |\n"
     "| `3,000` (best) | 0.8B | __4.2012__ | 31.9% |\n| 4,500 | 1.2B | 4.3012* | 32.0% |\n"},
    (4.2012, 3000, 4.3012, 4500),
)  # fmt: skip
stranger(
    "Markdown", "words that tell values apart at equal steps",
    {"results.md": "| loss on the set of 1,024 texts | step | val loss |\n|---|---:|---:|\n| plain, before | 500 | **4.1012** |\n"
     "| gated, right after | 500 | **4.3012** |\n| gated, the end | 900 | **4.0012** |\n| plain, the end | 900 | 4.0512 |\n"},
    (4.1012, 500, 4.1012, 500), (4.3012, 500, 4.3012, 500), (4.0012, 900, 4.0012, 900), (4.0512, 900, 4.0512, 900),
)  # fmt: skip
stranger(
    "Markdown", "another table below",
    {"results.md": "| Step | Val loss |\n|---|---|\n| 1,000 | 4.5012 |\n| 2,000 | 4.2012 |\n\nThe others:\n\n| Model | Step | Val loss |\n|---|---|---|\n"
     "| large | 3,000 | 3.1012 |\n\n| Step | Rate |\n|---|---|\n| 4,000 | 1.5 |\n"},
    (4.2012, 2000, 4.2012, 2000), finding="another_table",
)  # fmt: skip
stranger(
    "Markdown", "a table that is not read",
    {"results.md": "| thing | remark |\n|---|---|\n| val loss | 4.5012 at the end |\n"},
    finding="no_metrics",
)  # fmt: skip
stranger(
    "loggers", "a table that a logger prints line by line",
    "2031-05-01 10:00:00,123 - root - INFO - start: now\n2031-05-01 10:00:00,124 - root - INFO - step\ttrain_loss\tval_loss\t\n"
    "2031-05-01 10:00:00,125 - root - INFO - 100\tnan\t5.5012\n2031-05-01 10:00:09,125 - root - INFO - 150\t5.4012\tnan\n"
    "2031-05-01 10:00:09,126 - root - INFO - saved: model.pt\n2031-05-01 10:00:19,125 - root - INFO - 200\tnan\t5.1012\n",
    (5.1012, 200, 5.1012, 200), trained=1,
)  # fmt: skip
stranger(
    "curves", "a note beside a row",
    "step,val_loss,note\n100,5.2012,warm\n200,4.2012,\n300,4.3012,slow\n",
    (4.2012, 200, 4.3012, 300),
)  # fmt: skip
stranger(
    "curves", "a variant without a word is one too",
    "gate,step,val_loss\nhead,100,5.2012\nhead,200,4.2012\n,100,5.3012\n,200,4.4012\n",
    (4.2012, 200, 4.2012, 200), (4.4012, 200, 4.4012, 200),
)  # fmt: skip
