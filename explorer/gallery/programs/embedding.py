import torch

table = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], requires_grad=True)
words = torch.tensor([0, 2, 0])
vectors = torch.nn.functional.embedding(words, table)
loss = vectors.sum()
loss.backward()
print(table.grad)
