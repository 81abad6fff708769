import torch
import torch.nn.functional as F

scores = torch.tensor([[2.0, 0.0, -2.0]], requires_grad=True)
target = torch.tensor([0])
loss = F.cross_entropy(scores, target)
loss.backward()
print(loss.item(), scores.grad)
