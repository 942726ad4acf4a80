"""Networks: nn.Module only, no files and no labels."""
