import torch

scores = torch.tensor([1.0, 3.0, 2.0], requires_grad=True)
choice = scores.argmax()
loss = (choice - 2.0) ** 2
loss.backward()
print(scores.grad)
