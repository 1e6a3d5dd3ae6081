"""What well-known training frameworks print."""

# ruff: noqa: E501 - lines as they are printed
from __future__ import annotations

from tests.strangers import stranger

# -- nanoGPT and its kin ----------------------------------------------------------------------------------------------
stranger(
    "nanoGPT", "nanoGPT",
    "tokens per iteration will be: 491,520\nfound vocab_size = 65 (inside data/shakespeare_char/meta.pkl)\n"
    "Initializing a new model from scratch\nnumber of parameters: 10.65M\n"
    "num decayed parameter tensors: 26, with 10,740,096 parameters\nusing fused AdamW: True\ncompiling the model... (takes a ~minute)\n"
    "step 0: train loss 4.2874, val loss 4.2823\niter 0: loss 4.2663, time 33221.20ms, mfu -100.00%\n"
    "iter 10: loss 3.1465, time 24.11ms, mfu 15.46%\nstep 250: train loss 1.9654, val loss 2.0612\nsaving checkpoint to out-shakespeare-char\n"
    "iter 250: loss 2.0401, time 3821.55ms, mfu 13.93%\nstep 500: train loss 1.5284, val loss 1.7302\n"
    "iter 500: loss 1.6018, time 3799.02ms, mfu 13.88%\n",
    (1.7302, 500, 1.7302, 500), trained=7,
)  # fmt: skip
stranger(
    "nanoGPT", "nanoGPT, resumed into the same file",
    "step 0: train loss 10.9832, val loss 10.9821\niter 0: loss 10.9849, time 51011.37ms, mfu -100.00%\n"
    "step 1000: train loss 4.4213, val loss 4.4507\nsaving checkpoint to out\niter 1000: loss 4.4001, time 9021.11ms, mfu 40.11%\n"
    "iter 1010: loss 4.3911, time 601.11ms, mfu 40.12%\n"
    "Resuming training from out\nnumber of parameters: 123.59M\n"
    "step 1000: train loss 4.4210, val loss 4.4509\niter 1000: loss 4.4003, time 50021.11ms, mfu -100.00%\n"
    "step 2000: train loss 3.8001, val loss 3.8402\nsaving checkpoint to out\niter 2000: loss 3.7111, time 9001.02ms, mfu 40.02%\n",
    (3.8402, 2000, 3.8402, 2000),
)  # fmt: skip
stranger(
    "nanoGPT", "nanoGPT, sharing its file with torchrun's ranks",
    "W0501 10:00:00.123000 140 torch/distributed/run.py:779] *****************************************\n"
    "Overriding config with config/train_gpt2.py:\nbatch_size = 12\nblock_size = 1024\nmax_iters = 600000\nlearning_rate = 6e-4\n\n"
    "[rank0]:[W501 10:01:01.1 reducer.cpp:69] Warning: find_unused_parameters=True was specified\n"
    "step 0: train loss 10.9901, val loss 10.9899\n[rank0]: iter 0: loss 10.9902, time 35001.10ms, mfu -100.00%\n"
    "[rank0]: iter 10: loss 9.5011, time 411.01ms, mfu 41.00%\nstep 2000: train loss 3.7503, val loss 3.7701\n"
    "[rank0]: iter 2000: loss 3.7222, time 9876.54ms, mfu 37.01%\n",
    (3.7701, 2000, 3.7701, 2000), trained=5,
)  # fmt: skip
stranger(
    "llm.c", "llm.c on a GPU",
    "+-----------------------+----------------------------------------------------+\n| Parameter             | Value                  |\n"
    "| train_num_batches     | 19560                                              |\n| val_num_batches       | 10      |\n"
    "num_parameters: 124475904 => bytes: 248951808\nallocating 237 MiB for model parameters\n"
    "val loss 11.009460\nallocating 474 MiB for parameter gradients\n"
    "step    1/19560 | loss 11.010144 (+nanz)| norm 15.3628 (+nanz)| lr 8.57e-07 | 31112.04 ms | 3.5% bf16 MFU | 16852 tok/s\n"
    "step    2/19560 | loss 10.961532 (+nanz)| norm 15.1442 (+nanz)| lr 1.71e-06 | 3121.11 ms | 35.2% bf16 MFU | 167982 tok/s\n"
    "step  250/19560 | loss 6.471111 (-1.20z)| norm 1.3011 (-0.20z)| lr 2.14e-04 | 3120.99 ms | 35.3% bf16 MFU | 167990 tok/s\n"
    "val loss 6.502137\nHellaSwag: 2523/10042 = 0.251245\n"
    "step  251/19560 | loss 6.401012 (-1.10z)| norm 1.2911 (-0.21z)| lr 2.15e-04 | 3121.20 ms | 35.3% bf16 MFU | 167989 tok/s\n"
    "step  500/19560 | loss 5.701012 (-1.00z)| norm 1.1911 (-0.22z)| lr 4.29e-04 | 3120.88 ms | 35.3% bf16 MFU | 167987 tok/s\n"
    "val loss 5.812009\nHellaSwag: 2571/10042 = 0.256025\n"
    "step  501/19560 | loss 5.711012 (-0.90z)| norm 1.1811 (-0.22z)| lr 4.30e-04 | 3120.88 ms | 35.3% bf16 MFU | 167987 tok/s\n",
    (5.812009, 500, 5.812009, 500), trained=6,
)  # fmt: skip
stranger(
    "llm.c", "llm.c on a CPU",
    "[GPT-2]\nmax_seq_len: 1024\nvocab_size: 50257\nnum_parameters: 124439808\ntrain dataset num_batches: 1192\n"
    "val loss 5.325522\nstep 0: train loss 5.356085 (took 1452.121000 ms)\nstep 1: train loss 4.300644 (took 1288.673000 ms)\n"
    "step 2: train loss 4.623087 (took 1369.394000 ms)\nval loss 4.291698\n"
    "step 3: train loss 4.599362 (took 1290.761000 ms)\nstep 4: train loss 4.616664 (took 1301.112000 ms)\n"
    "step 5: train loss 4.231427 (took 1299.002000 ms)\nval loss 4.190111\nstep 6: train loss 4.001427 (took 1299.002000 ms)\n",
    (4.190111, 6, 4.190111, 6), trained=7,
)  # fmt: skip
stranger(
    "llm.c", "llm.c's train_gpt2.py",
    "using device: cuda\ntotal desired batch size: 524288\n=> calculated gradient accumulation steps: 8\n"
    "DataLoader: total number of tokens: 100,000,000 across 1 files\nval loss 10.987654\n"
    "step    1/1000 | train loss 10.953221 | norm 31.2210 | lr 8.57e-07 | (4411.22 ms | 118852 tok/s)\n"
    "step    2/1000 | train loss 10.601221 | norm 21.2210 | lr 1.71e-06 | (2211.22 ms | 237102 tok/s)\n"
    "step  250/1000 | train loss 6.101221 | norm 1.2210 | lr 2.14e-04 | (2210.22 ms | 237209 tok/s)\nval loss 6.151111\n"
    "step  251/1000 | train loss 6.091221 | norm 1.2110 | lr 2.15e-04 | (2210.22 ms | 237209 tok/s)\n",
    (6.151111, 250, 6.151111, 250), trained=4,
)  # fmt: skip
stranger(
    "modded-nanogpt", "modded-nanogpt with entropy beside the loss",
    "=" * 100 + "\nRunning Python 3.12.7\nRunning PyTorch 2.10.0\nnvidia-smi\n" + "=" * 100 + "\n"
    "step:0/1820 val_loss:10.8289 svd_entropy: attn_qk:H=0.7422,top10E=0.27,eRank=167.6,q75/q25=81.47 train_time:0ms step_avg:0.07ms\n"
    "step:1/1820 train_time:86ms step_avg:86.11ms\nstep:250/1820 val_loss:4.5980 svd_entropy: attn_qk:H=0.7000,top10E=0.25 train_time:15012ms"
    " step_avg:60.05ms\nstep:1820/1820 val_loss:3.2786 svd_entropy: attn_qk:H=0.76,top10E=0.2 train_time:110021ms step_avg:60.45ms\n"
    "peak memory allocated: 30121 MiB reserved: 44296 MiB\n",
    (3.2786, 1820, 3.2786, 1820), seconds=110.021,
)  # fmt: skip
stranger(
    "modded-nanogpt", "a fork that prints epochs of steps",
    "s:0 step:0/600 val_loss:10.9012 val_acc:0.0001 train_time:0ms step_avg:nanms\n"
    "step:100/600 train_loss:6.2011 train_time:9000ms step_avg:100.00ms\n"
    "s:0 step:300/600 val_loss:4.9012 val_acc:0.2201 train_time:29000ms step_avg:100.00ms\n"
    "s:0 step:600/600 val_loss:4.2012 val_acc:0.2711 train_time:59000ms step_avg:100.00ms\n",
    (4.2012, 600, 4.2012, 600), seconds=59.0,
)  # fmt: skip
stranger(
    "minGPT", "makemore",
    "device: cpu\nnumber of examples in the dataset: 32033\nmodel #params: 204544\n"
    "step 0 | loss 3.2920 | step time 111.30ms\nstep 10 | loss 3.0400 | step time 9.51ms\nstep 500 | loss 2.2300 | step time 9.60ms\n"
    "step 500 train loss: 2.2111 test loss: 2.2322\ntest loss 2.2322 is the best so far, saving model to out/model.pt\n"
    "step 1000 | loss 2.1300 | step time 9.60ms\nstep 1000 train loss: 2.1111 test loss: 2.1322\n",
    None, trained=6,
)  # fmt: skip
stranger(
    "minGPT", "nanochat's base training",
    "step 00000/21400 (0.00%) | loss: 11.090355 | grad norm: 0.2412 | lrm: 1.00 | dt: 20112.11ms | tok/sec: 26,067 | mfu: 2.50 |"
    " total time: 0.00m\nStep 00000 | Validation bpb: 3.2969\n"
    "step 00001/21400 (0.00%) | loss: 10.808564 | grad norm: 1.7341 | lrm: 1.00 | dt: 1281.00ms | tok/sec: 409,280 | mfu: 37.33 |"
    " total time: 0.00m\nstep 00250/21400 (1.17%) | loss: 5.501221 | grad norm: 0.9141 | lrm: 1.00 | dt: 1280.02ms | tok/sec: 409,594 |"
    " mfu: 37.36 | total time: 5.12m\nStep 00250 | Validation bpb: 1.5612\n",
    None, trained=3,
)  # fmt: skip
stranger(
    "minGPT", "build-nanogpt with validation loss on the console",
    "using device: cuda\ntotal desired batch size: 524288\nvalidation loss: 10.9557\nHellaSwag accuracy: 2447/10042=0.2437\n"
    "step     0 | loss: 10.955029 | lr 8.3916e-07 | norm: 15.3370 | dt: 26221.11ms | tok/sec: 19994.87\n"
    "step     1 | loss: 10.898304 | lr 1.6783e-06 | norm: 15.0126 | dt: 2512.11ms | tok/sec: 208704.11\n"
    "step   249 | loss: 6.001 | lr 2.1e-04 | norm: 0.6 | dt: 2511.02ms | tok/sec: 208794.01\nvalidation loss: 5.9491\n"
    "step   250 | loss: 5.921875 | lr 2.1e-04 | norm: 0.6 | dt: 4511.02ms | tok/sec: 116224.01\n"
    "step   499 | loss: 5.101 | lr 4.2e-04 | norm: 0.5 | dt: 2511.02ms | tok/sec: 208794.01\nvalidation loss: 5.0422\n"
    "step   500 | loss: 5.021875 | lr 4.2e-04 | norm: 0.5 | dt: 4511.02ms | tok/sec: 116224.01\n",
    (5.0422, 500, 5.0422, 500), trained=6,
)  # fmt: skip

# -- LitGPT, Megatron, DeepSpeed, NeMo ----------------------------------------------------------------------------------
stranger(
    "litgpt", "litgpt fine-tuning",
    "Verifying settings ...\nEpoch 1 | iter 1 step 0 | loss train: 1.623, val: n/a | iter time: 2412.02 ms\n"
    "Epoch 1 | iter 16 step 1 | loss train: 1.523, val: n/a | iter time: 302.02 ms (step)\n"
    "Epoch 1 | iter 32 step 2 | loss train: 1.423, val: n/a | iter time: 302.02 ms (step)\nValidating ...\n"
    "iter 32: val loss 1.4012, val time: 8123.44 ms\nEpoch 1 | iter 48 step 3 | loss train: 1.323, val: 1.401 | iter time: 301.02 ms (step)\n"
    "Epoch 1 | iter 64 step 4 | loss train: 1.223, val: 1.401 | iter time: 301.02 ms (step)\nValidating ...\n"
    "iter 64: val loss 1.3012, val time: 8103.44 ms\nFinal evaluation | val loss: 1.299 | val ppl: 3.666\n",
    (1.3012, 4, 1.3012, 4), trained=5,
)  # fmt: skip
stranger(
    "litgpt", "TinyLlama",
    "iter 0 step 0: loss 10.9823, iter time: 26512.10ms remaining time: 4411.21 hours.  or 183.80 days. \n"
    "iter 100 step 25: loss 9.2010, iter time: 480.10ms remaining time: 412.21 hours.  or 17.18 days. \n"
    "iter 200 step 50: loss 8.2010, iter time: 480.10ms remaining time: 411.21 hours.  or 17.13 days. \n"
    "step 200: val loss 8.1044, val time: 12345.67ms\nstep 200: val ppl 3309.01\n"
    "iter 300 step 75: loss 7.2010, iter time: 480.10ms remaining time: 410.21 hours.  or 17.09 days. \n",
    (8.1044, 50, 8.1044, 50), trained=4,
)  # fmt: skip
stranger(
    "Megatron", "Megatron-LM, with dates",
    "[before the start of training step] datetime: 2024-05-01 10:00:00 \n"
    " [2024-05-01 10:01:40] iteration      100/    1000 | consumed samples:        25600 | elapsed time per iteration (ms): 1000.0 |"
    " throughput per GPU (TFLOP/s/GPU): 180.1 | learning rate: 6.000000E-05 | global batch size:   256 | lm loss: 8.124514E+00 |"
    " loss scale: 1.0 | grad norm: 1.532 | number of skipped iterations:   0 | number of nan iterations:   0 |\n"
    " [2024-05-01 10:03:00] iteration      200/    1000 | consumed samples:        51200 | elapsed time per iteration (ms): 800.0 |"
    " throughput per GPU (TFLOP/s/GPU): 190.1 | learning rate: 1.200000E-04 | global batch size:   256 | lm loss: 6.924514E+00 |"
    " loss scale: 1.0 | grad norm: 1.132 | number of skipped iterations:   0 | number of nan iterations:   0 |\n"
    "(min, max) time across ranks (ms):\n    evaluate .......................................: (4411.11, 4412.20)\n" + "-" * 100 + "\n validation loss at iteration 200 | lm loss value: 6.911111E+00 | lm loss PPL: 1.003361E+03 | \n" + "-" * 100 + "\n",
    (6.911111, 200, 6.911111, 200), trained=2, seconds=180.0,
)  # fmt: skip
stranger(
    "Megatron", "Megatron-LM, resumed at an interval",
    "successfully loaded checkpoint from ckpt/ [ t 1/1, p 1/1 ] at iteration 5000\n"
    " iteration     5100/   10000 | consumed samples:      1305600 | elapsed time per iteration (ms): 500.0 | learning rate: 1.0E-04 |"
    " global batch size:   256 | lm loss: 3.124514E+00 | grad norm: 0.532 |\n"
    " iteration     5200/   10000 | consumed samples:      1331200 | elapsed time per iteration (ms): 500.0 | learning rate: 1.0E-04 |"
    " global batch size:   256 | lm loss: 3.104514E+00 | grad norm: 0.522 |\n"
    " validation loss at iteration 5200 | lm loss value: 3.150000E+00 | lm loss PPL: 2.333606E+01 | \n",
    (3.15, 5200, 3.15, 5200), trained=2, seconds=100.0,
)  # fmt: skip
stranger(
    "Megatron", "Megatron-LM, test at the end",
    " iteration       50/     100 | consumed samples: 800 | elapsed time per iteration (ms): 100.0 | lm loss: 9.1E+00 | grad norm: 1.0 |\n"
    " validation loss at iteration 50 | lm loss value: 9.000000E+00 | lm loss PPL: 8.103084E+03 | \n"
    " iteration      100/     100 | consumed samples: 1600 | elapsed time per iteration (ms): 100.0 | lm loss: 8.1E+00 | grad norm: 1.0 |\n"
    " validation loss at iteration 100 | lm loss value: 8.200000E+00 | lm loss PPL: 3.640950E+03 | \n"
    "[after training is done] datetime: 2024-05-01 10:10:00\n"
    " validation loss at iteration 100 on validation set | lm loss value: 8.190000E+00 | lm loss PPL: 3.604722E+03 | \n"
    " validation loss at iteration 100 on test set | lm loss value: 8.300000E+00 | lm loss PPL: 4.023872E+03 | \n",
    (8.19, 100, 8.19, 100), trained=2, seconds=10.0,
)  # fmt: skip
stranger(
    "DeepSpeed", "DeepSpeed's own lines beside a script's",
    "[2024-05-01 10:00:00,123] [INFO] [logging.py:96:log_dist] [Rank 0] step=10, skipped=0, lr=[0.0001], mom=[(0.9, 0.95)]\n"
    "[2024-05-01 10:00:00,124] [INFO] [timer.py:260:stop] epoch=0/micro_step=10/global_step=10, RunningAvgSamplesPerSec=31.1,"
    " CurrSamplesPerSec=31.2, MemAllocated=3.1GB, MaxMemAllocated=10.2GB\n"
    "step 10 | train loss 8.1212 | val loss 8.2020\n"
    "[2024-05-01 10:00:10,123] [INFO] [logging.py:96:log_dist] [Rank 0] step=20, skipped=0, lr=[0.0001], mom=[(0.9, 0.95)]\n"
    "step 20 | train loss 7.1212 | val loss 7.2020\n",
    (7.202, 20, 7.202, 20), trained=2,
)  # fmt: skip
stranger(
    "DeepSpeed", "DeepSpeed-Chat",
    "***** Running training *****\n***** Evaluating perplexity, Epoch 0/2 *****\nppl: 24.5123, loss: 3.1992\n"
    "Beginning of Epoch 1/2, Total Micro Batches 1000\n"
    "Epoch: 0, Step: 10, Rank: 0, loss = 2.6171875\nEpoch: 0, Step: 20, Rank: 0, loss = 2.5171875\n"
    "***** Evaluating perplexity, Epoch 1/2 *****\nppl: 9.5123, loss: 2.2526\nBeginning of Epoch 2/2, Total Micro Batches 1000\n"
    "Epoch: 1, Step: 10, Rank: 0, loss = 2.1171875\nEpoch: 1, Step: 20, Rank: 0, loss = 2.0171875\n"
    "***** Evaluating perplexity, Epoch 2/2 *****\nppl: 8.5123, loss: 2.1415\n",
    (2.1415, None, 2.1415, None), trained=4,
)  # fmt: skip
stranger(
    "NeMo", "NeMo 2",
    "[NeMo I 2025-05-22 20:09:41 nemo_logging:393] Setting up optimizer\n"
    "Training epoch 0, iteration 0/99 | lr: 1.499e-07 | global_batch_size: 512 | global_step: 0 | reduced_train_loss: 11.03 |"
    " train_step_timing in s: 61.94\n"
    "Training epoch 0, iteration 1/99 | lr: 2.999e-07 | global_batch_size: 512 | global_step: 1 | reduced_train_loss: 11.02 |"
    " train_step_timing in s: 12.64 | consumed_samples: 1024\n"
    "Training epoch 0, iteration 28/99 | lr: 5.6e-06 | global_batch_size: 32 | global_step: 28 | reduced_train_loss: 2.778 |"
    " train_step_timing in s: 0.189 | consumed_samples: 928 | val_loss: 2.861\n"
    "Training epoch 0, iteration 56/99 | lr: 5.6e-06 | global_batch_size: 32 | global_step: 56 | reduced_train_loss: 2.578 |"
    " train_step_timing in s: 0.189 | consumed_samples: 1928 | val_loss: 2.661\n",
    (2.661, 56, 2.661, 56), trained=4,
)  # fmt: skip
stranger(
    "NeMo", "Megatron-Bridge",
    " iteration        1/     200 | consumed_samples: 128 | elapsed_time_per_iteration_ms: 2000.0 | learning rate: 1.0E-06 | lm loss: 1.1E+01 |\n"
    " iteration        2/     200 | consumed_samples: 256 | elapsed_time_per_iteration_ms: 1000.0 | learning rate: 2.0E-06 | lm loss: 1.0E+01 |\n"
    " validation loss at iteration 2 | lm loss value: 1.010000E+01 | lm loss PPL: 2.434301E+04 | \n",
    (10.1, 2, 10.1, 2), trained=2, seconds=3.0,
)  # fmt: skip
stranger(
    "fairseq", "fairseq, losses in bits",
    "2021-05-01 10:00:00 | INFO | train_inner | epoch 001:    100 / 5000 loss=13.163, ppl=9170.7, wps=30111, ups=0.46, wpb=65536, bsz=128,"
    " num_updates=100, lr=1.2e-05, gnorm=3.1, loss_scale=64, train_wall=220, gb_free=20.1, wall=229\n"
    "2021-05-01 11:00:00 | INFO | valid | epoch 001 | valid on 'valid' subset | loss 9.512 | ppl 730.15 | wps 90111 | wpb 511 | bsz 1 |"
    " num_updates 5000\n",
    finding="no_metrics",
)  # fmt: skip
stranger(
    "torchtitan", "torchtitan",
    "[rank0]:[titan] 2025-03-01 10:00:00,123 - root - INFO - Starting job: Llama 3 debug training\n"
    "[rank0]:[titan] 2025-03-01 10:00:10,123 - root - INFO - step:  1  loss:  8.2172  grad_norm:  1.3947  memory:  0.84GiB(0.89%)  "
    "tps: 41,011  tflops: 2.94  mfu: 0.94%\n"
    "[rank0]:[titan] 2025-03-01 10:00:12,123 - root - INFO - step: 10  loss:  4.1172  grad_norm:  1.1947  memory:  0.84GiB(0.89%)  "
    "tps: 241,011  tflops: 17.94  mfu: 5.94%\n"
    "[rank0]:[titan] 2025-03-01 10:00:13,123 - root - INFO - validate step: 10  loss:  4.2021  memory:  0.85GiB(0.90%)  tps: 310,222\n"
    "[rank0]:[titan] 2025-03-01 10:00:14,123 - root - INFO - step: 20  loss:  3.1172  grad_norm:  1.1947  memory:  0.84GiB(0.89%)  "
    "tps: 241,011  tflops: 17.94  mfu: 5.94%\n"
    "[rank0]:[titan] 2025-03-01 10:00:15,123 - root - INFO - validate step: 20  loss:  3.2021  memory:  0.85GiB(0.90%)  tps: 310,222\n",
    (3.2021, 20, 3.2021, 20), trained=3,
)  # fmt: skip
stranger(
    "OLMo", "OLMo",
    "2024-02-01 10:00:00.101\tnode-1:0\tolmo.train:967\tINFO\t[step=1/739328,epoch=0]\n    optim/total_grad_norm=19.41\n"
    "    train/CrossEntropyLoss=11.13\n    train/Perplexity=68,186\n    throughput/total_tokens=4,194,304\n    throughput/device/tokens_per_second=9,201\n"
    "2024-02-01 10:10:00.101\tnode-1:0\tolmo.train:967\tINFO\t[step=1000/739328,epoch=0]\n    train/CrossEntropyLoss=4.131\n"
    "    train/Perplexity=62.24\n2024-02-01 10:10:05.101\tnode-1:0\tolmo.train:1105\tINFO\tRunning evaluation for 'v3-small-ppl-validation'...\n"
    "2024-02-01 10:10:06.101\tnode-1:0\tolmo.train:1120\tINFO\t[eval_step=1/8]\n"
    "2024-02-01 10:10:09.101\tnode-1:0\tolmo.train:876\tINFO\tv3-small-ppl-validation\n"
    "    eval/v3-small-c4_en-validation/CrossEntropyLoss=4.301\n    eval/v3-small-c4_en-validation/Perplexity=73.77\n"
    "    eval/v3-small-wikitext_103-validation/CrossEntropyLoss=4.801\n    eval/v3-small-wikitext_103-validation/Perplexity=121.6\n",
    None, trained=2,
)  # fmt: skip
stranger(
    "OLMo", "OLMo-core",
    "2025-02-01 10:00:00.101\tnode-1:0\tolmo_core.train.callbacks.console_logger:133\tINFO\t[step=10/1000,epoch=1,eta=0:10:00]\n"
    "    optim/LR (group 0)=4.000E-06\n    optim/total grad norm=3.412\n    train/CE loss=9.313\n    train/PPL=11,081\n"
    "    throughput/device/TPS=51,211\n"
    "2025-02-01 10:00:40.101\tnode-1:0\tolmo_core.train.callbacks.console_logger:133\tINFO\t[step=20/1000,epoch=1,eta=0:09:00]\n"
    "    train/CE loss=8.313\n    train/PPL=4,077\n",
    None, trained=2,
)  # fmt: skip
stranger(
    "nanotron", "nanotron",
    "08/31/2024 14:37:31 [INFO|DP=0|PP=0|TP=0]:  Memory usage: 64.15MiB. Peak allocated 309.29MiB. Peak reserved: 496.00MiB\n"
    "08/31/2024 14:37:31 [INFO|DP=0|PP=0|TP=0]: iteration: 1 / 15 | consumed_tokens: 512 | elapsed_time_per_iteration_ms: 4.71K |"
    " tokens_per_sec: 109 | tokens_per_sec_per_gpu: 109 | global_batch_size: 2 | lm_loss: 5.32 | lr: 0.00015 | grad_norm: 2.96 |"
    " cuda_memory_allocated: 67.4M\n"
    "08/31/2024 14:37:32 [INFO|DP=0|PP=0|TP=0]: iteration: 2 / 15 | consumed_tokens: 1.02K | elapsed_time_per_iteration_ms: 810 |"
    " tokens_per_sec: 632 | tokens_per_sec_per_gpu: 632 | global_batch_size: 2 | lm_loss: 5.21 | lr: 0.0003 | grad_norm: 2.86 |\n",
    None, trained=2, seconds=5.52,
)  # fmt: skip
