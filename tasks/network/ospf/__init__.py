"""OSPF with BFD over the routed cables, in FRR."""
