import torch

scores = torch.tensor([1.0, 3.0, 2.0], requires_grad=True)
wanted = torch.tensor(2)
loss = torch.nn.functional.cross_entropy(scores, wanted)
loss.backward()
print(scores.grad)
