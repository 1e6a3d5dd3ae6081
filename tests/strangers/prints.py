"""What people's own loops print, what Keras, JAX, MLX and Hugging Face print, and how terminals and schedulers mix it."""

# ruff: noqa: E501 - lines as they are printed
from __future__ import annotations

from tests.strangers import stranger

BAR = "\u2501" * 12
# -- JAX, MLX, Keras ----------------------------------------------------------------------------------------------------
stranger(
    "JAX", "flax examples, clu's logging writer",
    "I0501 10:00:00.123456 140234 train.py:511] Starting training loop at step 0.\n"
    "I0501 10:01:00.123456 139 logging_writer.py:48] [100] accuracy=0.061, learning_rate=0.00001, loss=9.101, steps_per_second=4.1\n"
    "I0501 10:01:10.123456 139 logging_writer.py:48] [100] eval_accuracy=0.071, eval_loss=8.901, eval_perplexity=7339.3\n"
    "I0501 10:02:00.123456 139 logging_writer.py:48] [200] accuracy=0.161, learning_rate=0.00002, loss=7.101, steps_per_second=4.1\n"
    "I0501 10:02:10.123456 139 logging_writer.py:48] [200] eval_accuracy=0.171, eval_loss=6.901, eval_perplexity=993.3\n",
    (6.901, 200, 6.901, 200), trained=2,
)  # fmt: skip
stranger(
    "JAX", "MaxText",
    "Memstats: After params initialized:\ncompleted step: 0, seconds: 12.101, TFLOP/s/device: 5.101, Tokens/s/device: 338.1, total_weights: 32768,"
    " loss: 10.871\ncompleted step: 1, seconds: 0.501, TFLOP/s/device: 123.101, Tokens/s/device: 8172.1, total_weights: 32768, loss: 10.701\n"
    "completed step: 4, seconds: 0.502, TFLOP/s/device: 123.101, Tokens/s/device: 8172.1, total_weights: 32768, loss: 10.001\n"
    "Completed eval step 0\nCompleted eval step 1\neval metrics after step: 4, loss=9.855, total_weights=75264.0\n"
    "completed step: 9, seconds: 0.502, TFLOP/s/device: 123.101, Tokens/s/device: 8172.1, total_weights: 32768, loss: 9.501\n"
    "Completed eval step 0\nCompleted eval step 1\neval metrics after step: 9, loss=9.420, total_weights=75264.0\n",
    (9.42, 9, 9.42, 9), trained=4,
)  # fmt: skip
stranger(
    "JAX", "levanter's JSON lines",
    '{"tracker": "json_logger", "event": "log_hparams", "hparams": {"trainer": {"seed": 0}}}\n'
    '{"tracker": "json_logger", "event": "log", "step": 0, "metrics": {"train/loss": 10.81, "throughput/mfu": 12.1}}\n'
    '{"tracker": "json_logger", "event": "log", "step": 100, "metrics": {"train/loss": 6.81, "throughput/mfu": 32.1}}\n'
    '{"tracker": "json_logger", "event": "log", "step": 100, "metrics": {"eval/loss": 6.91, "eval/bpb": 2.1}}\n'
    '{"tracker": "json_logger", "event": "log", "step": 200, "metrics": {"train/loss": 5.81, "throughput/mfu": 32.1}}\n'
    '{"tracker": "json_logger", "event": "log", "step": 200, "metrics": {"eval/loss": 5.91, "eval/bpb": 1.9}}\n',
    (5.91, 200, 5.91, 200), trained=3,
)  # fmt: skip
stranger(
    "MLX", "mlx_lm.lora",
    "Loading pretrained model\nTrainable parameters: 0.071% (5.243M/7390.204M)\nStarting training..., iters: 600\n"
    "Iter 1: Val loss 2.323, Val took 12.404s\n"
    "Iter 10: Train loss 2.100, Learning Rate 1.000e-05, It/sec 0.412, Tokens/sec 350.101, Trained Tokens 3812, Peak mem 8.202 GB\n"
    "Iter 100: Train loss 1.700, Learning Rate 1.000e-05, It/sec 0.412, Tokens/sec 350.101, Trained Tokens 38120, Peak mem 8.202 GB\n"
    "Iter 100: Saved adapter weights to adapters/adapters.safetensors and adapters/0000100_adapters.safetensors.\n"
    "Iter 200: Val loss 1.623, Val took 12.404s\n"
    "Iter 200: Train loss 1.600, Learning Rate 1.000e-05, It/sec 0.412, Tokens/sec 350.101, Trained Tokens 76240, Peak mem 8.202 GB\n",
    (1.623, 200, 1.623, 200), trained=3,
)  # fmt: skip
stranger(
    "MLX", "mlx-examples' transformer_lm",
    "Training a transformer with 125.212 M parameters\nIter 10: Train loss 8.123, It/sec 1.234\nIter 20: Train loss 7.123, It/sec 1.234\n"
    "Iter 20: Val loss 7.223, Val ppl 1370.591, Val took 3.102s, \nIter 30: Train loss 6.123, It/sec 1.234\n"
    "Test loss 6.001, Test ppl 403.832.\n",
    (7.223, 20, 7.223, 20), trained=3,
)  # fmt: skip
stranger(
    "Keras", "Keras 2",
    "Epoch 1/3\n100/100 [==============================] - 12s 120ms/step - loss: 4.1012 - val_loss: 3.9012\n"
    "Epoch 2/3\n100/100 [==============================] - 11s 110ms/step - loss: 3.1012 - val_loss: 3.2012\n"
    "Epoch 3/3\n100/100 [==============================] - 11s 110ms/step - loss: 2.7012 - val_loss: 3.3012\n",
    (3.2012, 2, 3.3012, 3), trained=3,
)  # fmt: skip
stranger(
    "Keras", "Keras 3, drawn again and again",
    f"Epoch 1/2\n\r\x1b[1m 1/50\x1b[0m \x1b[37m{BAR}\x1b[0m \x1b[1m30s\x1b[0m 612ms/step - accuracy: 0.01 - loss: 9.9012"
    f"\r\x1b[1m50/50\x1b[0m \x1b[32m{BAR}\x1b[0m \x1b[1m0s\x1b[0m 21ms/step - accuracy: 0.05 - loss: 6.1044"
    f"\r\x1b[1m50/50\x1b[0m \x1b[32m{BAR}\x1b[0m \x1b[1m2s\x1b[0m 31ms/step - accuracy: 0.0512 - loss: 6.1012 - val_accuracy: 0.07 - val_loss: 5.9012\n"
    f"Epoch 2/2\n\r\x1b[1m50/50\x1b[0m \x1b[32m{BAR}\x1b[0m \x1b[1m2s\x1b[0m 31ms/step - accuracy: 0.1512 - loss: 5.1012 - val_accuracy: 0.11 - val_loss: 5.2012\n",
    (5.2012, 2, 5.2012, 2),
)  # fmt: skip
stranger(
    "Keras", "Keras, one line an epoch, early stopping",
    "Epoch 1/10\n500/500 - 21s - loss: 5.1012 - val_loss: 4.9012 - 21s/epoch - 42ms/step\n"
    "Epoch 2/10\n500/500 - 20s - loss: 4.1012 - val_loss: 4.8012 - 20s/epoch - 40ms/step\n"
    "Epoch 3/10\n500/500 - 20s - loss: 3.9012 - val_loss: 4.8512 - 20s/epoch - 40ms/step\nEpoch 3: early stopping\n",
    (4.8012, 2, 4.8512, 3), trained=3,
)  # fmt: skip

# -- Hugging Face and what stands on it -----------------------------------------------------------------------------------
stranger(
    "Hugging Face", "run_clm.py",
    "05/01/2024 10:00:00 - INFO - __main__ - Training/evaluation parameters TrainingArguments(\n_n_gpu=1,\nseed=42,\n)\n"
    "  0%|          | 0/30 [00:00<?, ?it/s]\n{'loss': 4.501, 'grad_norm': 1.2, 'learning_rate': 4e-05, 'epoch': 1.0}\n"
    "{'eval_loss': 4.2012, 'eval_runtime': 10.2, 'eval_samples_per_second': 9.1, 'eval_steps_per_second': 1.2, 'epoch': 1.0}\n"
    "{'loss': 4.101, 'grad_norm': 1.1, 'learning_rate': 2e-05, 'epoch': 2.0}\n"
    "{'eval_loss': 4.0012, 'eval_runtime': 10.2, 'eval_samples_per_second': 9.1, 'eval_steps_per_second': 1.2, 'epoch': 2.0}\n"
    "{'train_runtime': 301.5, 'train_samples_per_second': 10.1, 'train_steps_per_second': 0.1, 'train_loss': 4.3, 'epoch': 2.0}\n"
    "***** train metrics *****\n  epoch                    =        2.0\n  train_loss               =        4.3\n"
    "  train_runtime            = 0:05:01.50\n***** eval metrics *****\n  epoch                   =        2.0\n"
    "  eval_loss               =     4.0012\n  eval_runtime            = 0:00:10.20\n  perplexity              =    54.6637\n",
    (4.0012, 2, 4.0012, 2), trained=2, seconds=301.5,
)  # fmt: skip
stranger(
    "Hugging Face", "Trainer of transformers 5, numbers as words",
    "{'loss': '2.9131', 'grad_norm': '3.125', 'learning_rate': '4.9e-05', 'epoch': '0.25'}\n"
    "{'eval_loss': '2.8131', 'eval_runtime': '3.125', 'eval_samples_per_second': '32.1', 'epoch': '0.25'}\n"
    "{'loss': '2.7131', 'grad_norm': '3.125', 'learning_rate': '3.9e-05', 'epoch': '0.5'}\n"
    "{'eval_loss': '2.6131', 'eval_runtime': '3.125', 'eval_samples_per_second': '32.1', 'epoch': '0.5'}\n"
    "{'train_runtime': '60.25', 'train_loss': '2.8', 'epoch': '0.5'}\n",
    (2.6131, None, 2.6131, None), trained=2, seconds=60.25,
)  # fmt: skip
stranger(
    "Hugging Face", "axolotl",
    "[2024-05-01 10:00:00,123] [INFO] [axolotl.train.train:114] [PID:1234] [RANK:0] Starting trainer...\n"
    "  1%|          | 1/100 [00:05<09:05,  5.51s/it]\r                                               \r"
    "{'loss': 1.8451, 'grad_norm': 0.4512, 'learning_rate': 2e-05, 'memory/max_mem_active(gib)': 11.2, 'epoch': 0.03}\n"
    "{'eval_loss': 1.7912, 'eval_runtime': 6.1, 'eval_samples_per_second': 16.2, 'epoch': 0.03}\n"
    "{'loss': 1.5451, 'grad_norm': 0.4512, 'learning_rate': 2e-05, 'memory/max_mem_active(gib)': 11.2, 'epoch': 0.06}\n"
    "{'eval_loss': 1.5912, 'eval_runtime': 6.1, 'eval_samples_per_second': 16.2, 'epoch': 0.06}\n"
    "{'train_runtime': 1201.2, 'train_samples_per_second': 1.1, 'train_loss': 1.6, 'epoch': 0.06}\n",
    (1.5912, None, 1.5912, None), trained=2, seconds=1201.2,
)  # fmt: skip
stranger(
    "Hugging Face", "TRL's SFT",
    "{'loss': 1.4512, 'grad_norm': 0.9, 'learning_rate': 1e-05, 'num_tokens': 8192.0, 'mean_token_accuracy': 0.66, 'epoch': 0.5}\n"
    "{'eval_loss': 1.4012, 'eval_runtime': 2.0, 'eval_num_tokens': 8192.0, 'eval_mean_token_accuracy': 0.67, 'epoch': 0.5}\n"
    "{'loss': 1.3512, 'grad_norm': 0.9, 'learning_rate': 1e-05, 'num_tokens': 16384.0, 'mean_token_accuracy': 0.67, 'epoch': 1.0}\n"
    "{'eval_loss': 1.3812, 'eval_runtime': 2.0, 'eval_num_tokens': 16384.0, 'eval_mean_token_accuracy': 0.68, 'epoch': 1.0}\n",
    (1.3812, None, 1.3812, None), trained=2,
)  # fmt: skip
stranger(
    "Hugging Face", "unsloth in a notebook",
    "==((====))==  Unsloth - 2x faster free finetuning | Num GPUs used = 1\n   \\\\   /|    Num examples = 51,760 | Num Epochs = 1 | Total steps = 60\n"
    "[60/60 02:33, Epoch 0/1]\nStep\tTraining Loss\tValidation Loss\n20\t1.801200\t1.751200\n40\t1.201200\t1.301200\n60\t0.901200\t1.101200\n",
    (1.1012, 60, 1.1012, 60), trained=3,
)  # fmt: skip
stranger(
    "Hugging Face", "accelerate's run_clm_no_trainer.py",
    "05/01/2024 10:00:00 - INFO - __main__ - ***** Running training *****\n"
    "05/01/2024 10:10:00 - INFO - __main__ - epoch 0: perplexity: 38.11 eval_loss: 3.6404\n"
    "05/01/2024 10:20:00 - INFO - __main__ - epoch 1: perplexity: 33.21 eval_loss: 3.5029\n",
    (3.5029, 1, 3.5029, 1),
)  # fmt: skip
stranger(
    "Hugging Face", "llama-recipes",
    "Training Epoch: 1/2, step 387/388 completed (loss: 1.6012): 100%|###| 388/388 [10:01<00:00, 1.55s/it]\n"
    " eval_ppl=tensor(5.1012, device='cuda:0') eval_epoch_loss=tensor(1.6295, device='cuda:0')\n"
    "best eval loss on epoch 1 is 1.6295\nEpoch 1: train_perplexity=5.2012, train_epoch_loss=1.6489, epoch time 605.1s\n"
    "Training Epoch: 2/2, step 387/388 completed (loss: 1.4012): 100%|###| 388/388 [10:01<00:00, 1.55s/it]\n"
    " eval_ppl=tensor(4.9012, device='cuda:0') eval_epoch_loss=tensor(1.5895, device='cuda:0')\n"
    "best eval loss on epoch 2 is 1.5895\nEpoch 2: train_perplexity=4.2012, train_epoch_loss=1.4354, epoch time 605.1s\n",
    (1.5895, 775, 1.5895, 775),
)  # fmt: skip

# -- loops of one's own: where the step stands ----------------------------------------------------------------------------
stranger(
    "own loop", "steps that start again with each epoch, their number told",
    "Epoch [1/2], Step [100/600], Loss: 5.1012\nEpoch [1/2], Step [600/600], Loss: 4.1012\nEpoch 1 done, val loss: 4.2012\n"
    "Epoch [2/2], Step [100/600], Loss: 3.9012\nEpoch [2/2], Step [600/600], Loss: 3.1012\nEpoch 2 done, val loss: 3.2012\n",
    (3.2012, 1200, 3.2012, 1200), trained=4,
)  # fmt: skip
stranger(
    "own loop", "steps that start again with each epoch, their number not told",
    "Epoch 1 Step 100 train_loss 5.1012 val_loss 5.2012\nEpoch 1 Step 200 train_loss 4.1012 val_loss 4.2012\n"
    "Epoch 2 Step 100 train_loss 3.9012 val_loss 4.0012\nEpoch 2 Step 200 train_loss 3.1012 val_loss 3.3012\n"
    "Epoch 3 Step 100 train_loss 3.0012 val_loss 3.4012\n",
    (3.3012, None, 3.4012, None), trained=5, finding="steps_restart",
)  # fmt: skip
stranger(
    "own loop", "steps that go on over the epochs",
    "epoch 1 step 100/400: loss=5.1012\nepoch 1 step 200/400: loss=4.1012 val_loss=4.2012\n"
    "epoch 2 step 300/400: loss=3.9012\nepoch 2 step 400/400: loss=3.1012 val_loss=3.4012\n",
    (3.4012, 400, 3.4012, 400), trained=4,
)  # fmt: skip
stranger(
    "own loop", "epochs from 0, batches from 0",
    "Epoch: 0 | Batch: 0/250 | Loss: 9.1012\nEpoch: 0 | Batch: 125/250 | Loss: 6.1012\nValidation loss after epoch 0: 5.9012\n"
    "Epoch: 1 | Batch: 0/250 | Loss: 5.5012\nEpoch: 1 | Batch: 125/250 | Loss: 5.1012\nValidation loss after epoch 1: 5.0012\n",
    (5.0012, 1, 5.0012, 1), trained=0,
)  # fmt: skip
stranger(
    "own loop", "the word language model of PyTorch's examples",
    "| epoch   1 |   200/ 2983 batches | lr 20.00 | ms/batch 12.12 | loss  7.64 | ppl  2079.22\n"
    "| epoch   1 |  2800/ 2983 batches | lr 20.00 | ms/batch 11.88 | loss  5.53 | ppl   252.88\n" + "-" * 89 + "\n"
    "| end of epoch   1 | time: 36.93s | valid loss  5.53 | valid ppl   252.86\n" + "-" * 89 + "\n"
    "| epoch   2 |   200/ 2983 batches | lr 20.00 | ms/batch 11.91 | loss  5.54 | ppl   254.10\n"
    "| epoch   2 |  2800/ 2983 batches | lr 20.00 | ms/batch 11.88 | loss  5.33 | ppl   206.44\n" + "-" * 89 + "\n"
    "| end of epoch   2 | time: 36.93s | valid loss  5.41 | valid ppl   223.63\n" + "=" * 89 + "\n"
    "| End of training | test loss  5.32 | test ppl   204.38\n" + "=" * 89 + "\n",
    (5.41, 2, 5.41, 2),
)  # fmt: skip
stranger(
    "own loop", "a bare step line, then its losses",
    "=== Step 500 ===\nTrain loss: 5.1012\nVal loss: 5.2012\nTime: 61.2s\n=== Step 1000 ===\nTrain loss: 4.1012\nVal loss: 4.2012\n"
    "Time: 121.9s\n=== Step 1500 ===\nTrain loss: 3.9012\nVal loss: 4.3012\nTime: 181.9s\n",
    (4.2012, 1000, 4.3012, 1500), trained=3,
)  # fmt: skip
stranger(
    "own loop", "the loss before its step",
    "Train loss 8.1234 at step 100 with lr 0.0001. [Avg: 8.2001 ] after 0:01:00.\nval loss: 8.0012 (step 100)\n"
    "Train loss 7.1234 at step 200 with lr 0.0002. [Avg: 7.2001 ] after 0:02:00.\nval loss: 7.0012 (step 200)\n",
    (7.0012, 200, 7.0012, 200), trained=2,
)  # fmt: skip
stranger(
    "own loop", "evaluations between the steps",
    "step 100 loss 5.1012 lr 0.001\nstep 200 loss 4.1012 lr 0.001\nEval: loss=4.2012 ppl=66.77\nstep 300 loss 3.9012 lr 0.001\n"
    "step 400 loss 3.7012 lr 0.001\nEval: loss=3.8012 ppl=44.76\nstep 500 loss 3.6012 lr 0.001\n",
    (3.8012, 400, 3.8012, 400), trained=5,
)  # fmt: skip
stranger(
    "own loop", "a stamp before each line, validation in its own words",
    "[2024-05-01 10:00:00] Step 1000 | Training loss: 4.1012 | Perplexity: 60.41\n[2024-05-01 10:00:20] >> Validation loss: 4.2012 | Perplexity: 66.77\n"
    "[2024-05-01 10:01:00] Step 2000 | Training loss: 3.1012 | Perplexity: 22.22\n[2024-05-01 10:01:20] >> Validation loss: 3.4012 | Perplexity: 30.00\n",
    (3.4012, 2000, 3.4012, 2000), trained=2,
)  # fmt: skip
stranger(
    "own loop", "gpt-2-simple",
    "Training...\n[10 | 28.71] loss=3.45 avg=3.45\n[20 | 51.02] loss=3.20 avg=3.32\nSaving checkpoint/run1/model-20\n"
    "[20 | 60.10] validation loss = 3.30\n[30 | 82.44] loss=3.10 avg=3.24\n[40 | 104.70] loss=3.00 avg=3.18\n[40 | 113.90] validation loss = 3.12\n",
    (3.12, 40, 3.12, 40), trained=4, seconds=113.9,
)  # fmt: skip
stranger(
    "own loop", "words around the numbers",
    "After 1,000 iterations: training loss = 5.1012, validation loss = 5.2012\nAfter 2,000 iterations: training loss = 4.1012, validation loss = 4.2012\n"
    "After 3,000 iterations: training loss = 3.9012, validation loss = 4.3012\n",
    (4.2012, 2000, 4.3012, 3000), trained=3,
)  # fmt: skip
stranger(
    "own loop", "a table of spaces",
    "Model has 12.3M parameters\n\n  step   train_loss   val_loss     lr      time\n   100      5.1012     5.2012   1.0e-3     10.1\n"
    "   200      4.1012     4.2012   1.0e-3     20.2\n   300      3.9012     4.3012   1.0e-3     30.3\n",
    (4.2012, 200, 4.3012, 300), trained=3,
)  # fmt: skip
stranger(
    "own loop", "fastai",
    "epoch     train_loss  valid_loss  accuracy  perplexity  time    \n0         4.123456    3.987654    0.251234  53.928322   00:34     \n"
    "1         3.823456    3.887654    0.271234  48.796289   00:33     \n2         3.523456    3.907654    0.281234  49.781983   00:33     \n",
    (3.887654, 1, 3.907654, 2), trained=3,
)  # fmt: skip
stranger(
    "own loop", "a rich table",
    "           Training           \n\u250f" + "\u2501" * 6 + "\u2533" + "\u2501" * 12 + "\u2533" + "\u2501" * 10 + "\u2513\n"
    "\u2503 Step \u2503 Train loss \u2503 Val loss \u2503\n\u2521" + "\u2501" * 6 + "\u2547" + "\u2501" * 12 + "\u2547" + "\u2501" * 10 + "\u2529\n"
    "\u2502  100 \u2502     5.1012 \u2502   5.2012 \u2502\n\u2502  200 \u2502     4.1012 \u2502   4.2012 \u2502\n\u2502  300 \u2502     3.9012 \u2502   4.3012 \u2502\n"
    "\u2514" + "\u2500" * 6 + "\u2534" + "\u2500" * 12 + "\u2534" + "\u2500" * 10 + "\u2518\n",
    (4.2012, 200, 4.3012, 300), trained=3,
)  # fmt: skip
stranger(
    "own loop", "a Markdown table",
    "# Results\n\n| Step | Train Loss | Val Loss | Tokens/s |\n|-----:|-----------:|---------:|---------:|\n| 500 | 5.1012 | 5.2012 | 41,200 |\n"
    "| 1000 | 4.1012 | 4.2012 | 41,300 |\n| 1500 | 3.9012 | 4.3012 | 41,250 |\n",
    (4.2012, 1000, 4.3012, 1500), trained=3,
)  # fmt: skip

# -- terminals, schedulers, several runs ----------------------------------------------------------------------------------
stranger(
    "terminal", "nothing but a progress bar",
    "  0%|          | 0/300 [00:00<?, ?it/s]\r 33%|###3      | 100/300 [00:10<00:20, 10.0it/s, loss=5.1012]"
    "\r 67%|######6   | 200/300 [00:20<00:10, 10.0it/s, loss=4.1012]\r100%|##########| 300/300 [00:30<00:00, 10.0it/s, loss=3.9012]\n",
    None, trained=3, seconds=30.0,
)  # fmt: skip
stranger(
    "terminal", "Lightning's progress bar",
    "Epoch 0:  50%|#####     | 50/100 [00:10<00:10, 5.0it/s, v_num=0, train_loss=5.101]\rEpoch 0: 100%|##########| 100/100 [00:25<00:00, 4.0it/s,"
    " v_num=0, train_loss=4.101, val_loss=4.201]\nEpoch 1:  50%|#####     | 50/100 [00:10<00:10, 5.0it/s, v_num=0, train_loss=3.901, val_loss=4.201]"
    "\rEpoch 1: 100%|##########| 100/100 [00:25<00:00, 4.0it/s, v_num=0, train_loss=3.501, val_loss=3.601]\n",
    (3.601, 200, 3.601, 200),
)  # fmt: skip
stranger(
    "terminal", "CRLF, colours and a bar between the lines",
    "\x1b[2K\x1b[36mstep 100\x1b[0m | \x1b[33mloss 5.1012\x1b[0m\r\n\x1b[2K\x1b[36mstep 200\x1b[0m | \x1b[33mloss 4.1012\x1b[0m\r\n"
    "\x1b[32mstep 200\x1b[0m | \x1b[1mval loss 4.2012\x1b[0m\r\neval: 100%|###| 20/20 [00:02<00:00, 9.9it/s]\r\n"
    "\x1b[36mstep 300\x1b[0m | \x1b[33mloss 3.9012\x1b[0m\r\n\x1b[32mstep 300\x1b[0m | \x1b[1mval loss 4.0012\x1b[0m\r\n",
    (4.0012, 300, 4.0012, 300), trained=3,
)  # fmt: skip
stranger(
    "scheduler", "four ranks print the same",
    "".join(
        f"{r}: 2024-05-01 10:0{i}:00 INFO step={100 * i} train_loss={6 - i}.1012 val_loss={6 - i}.2012\n" for i in (1, 2, 3) for r in range(4)
    ),
    (3.2012, 300, 3.2012, 300),
)  # fmt: skip
stranger(
    "scheduler", "SLURM cut it off",
    "step 100/1000 train_loss=5.1012 val_loss=5.2012 elapsed=61s\nstep 200/1000 train_loss=4.1012 val_loss=4.2012 elapsed=121s\n"
    "slurmstepd: error: *** JOB 123456 ON node01 CANCELLED AT 2024-05-01T12:00:00 DUE TO TIME LIMIT ***\n",
    (4.2012, 200, 4.2012, 200), trained=2, seconds=121.0, finding="crashed",
)  # fmt: skip
stranger(
    "several runs", "seeds in one file, named",
    "".join(
        f"===== seed {s} =====\nstep 100 val_loss 4.{s}\nstep 200 val_loss 3.{s}\nFinal val loss (seed {s}): 3.{s}\n" for s in (11, 22, 33)
    ),
    (3.11, 200, 3.11, 200), (3.22, 200, 3.22, 200), (3.33, 200, 3.33, 200),
)  # fmt: skip
stranger(
    "several runs", "a sweep that prints its setting",
    "Running with lr=0.001\nstep 0 val_loss 10.8012\nstep 100 val_loss 5.2012\nRunning with lr=0.003\nstep 0 val_loss 10.8013\n"
    "step 100 val_loss 4.9012\nRunning with lr=0.01\nstep 0 val_loss 10.8014\nstep 100 val_loss 6.2012\n",
    (5.2012, 100, 5.2012, 100), (4.9012, 100, 4.9012, 100), (6.2012, 100, 6.2012, 100),
)  # fmt: skip
stranger(
    "several runs", "stopped and resumed, the steps go back a little",
    "step 100 val_loss 5.2012\nstep 200 val_loss 4.2012\nstep 300 val_loss 3.8012\nTraceback (most recent call last):\n"
    '  File "train.py", line 10, in <module>\nKeyboardInterrupt\nResuming from checkpoint at step 200\n'
    "step 300 val_loss 3.9012\nstep 400 val_loss 3.7012\n",
    (3.7012, 400, 3.7012, 400),
)  # fmt: skip
stranger(
    "several runs", "validation before each run's first step",
    "val loss 10.9012\nstep 1/200 | loss 10.9112\nstep 100/200 | loss 6.1012\nval loss 6.2012\nstep 200/200 | loss 5.1012\nval loss 5.2012\n"
    "val loss 10.9013\nstep 1/200 | loss 10.9113\nstep 100/200 | loss 5.1013\nval loss 5.2013\nstep 200/200 | loss 4.1013\nval loss 4.2013\n",
    (5.2012, 200, 5.2012, 200), (4.2013, 200, 4.2013, 200), trained=6,
)  # fmt: skip
stranger(
    "own loop", "a closing loss after steps without validation",
    "iter 0 | loss 10.9012 | lr 1e-4\niter 500 | loss 5.1012 | lr 3e-4\niter 999 | loss 4.1012 | lr 1e-5\nFinal validation loss: 4.2012\n",
    (4.2012, 999, 4.2012, 999), trained=3,
)  # fmt: skip
stranger(
    "own loop", "nothing but validation losses",
    "Validation loss: 5.2012\nValidation loss: 4.2012\nValidation loss: 3.2012\n",
    finding="no_metrics",
)  # fmt: skip
