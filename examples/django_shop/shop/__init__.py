"""The smallest honest shop on Django: an order is paid when Alipay has proved it, and never before."""
