import torch

logits = torch.tensor([[2.0, 1.0, 0.0], [0.0, 0.0, 0.0]], requires_grad=True)
target = torch.tensor([0, 2])
loss = torch.nn.functional.cross_entropy(logits, target)
loss.backward()
print(logits.grad)
