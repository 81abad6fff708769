import torch

image = torch.arange(16.0).reshape(1, 1, 4, 4).requires_grad_(True)
kernel = torch.tensor([[[[1.0, 0.0], [0.0, -1.0]]]], requires_grad=True)
out = torch.nn.functional.conv2d(image, kernel)
y = out.sum()
y.backward()
print(image.grad)
print(kernel.grad)
