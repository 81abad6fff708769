import torch

mu = torch.tensor(1.0, requires_grad=True)
sigma = torch.tensor(0.5, requires_grad=True)
z = torch.distributions.Normal(mu, sigma).sample()
loss = (z - 3.0) ** 2 + 0.1 * mu ** 2
loss.backward()
print(mu.grad, sigma.grad)
