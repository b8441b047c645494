/**
 * The methods of fine-tuning beside the low-rank family: scaled activations (IA3), norms, biases, virtual tokens,
 * rotations, sparse and circulant changes, bottleneck adapters, and full fine-tuning. They wrap layers found by path
 * and know no model. Open {@link io.peft4j.methods.Ia3Config} and {@link io.peft4j.methods.Ia3Method} first: the
 * smallest complete method. {@link io.peft4j.core.peft.config.Placement} says where a method's layers sit. Each method
 * is in a configuration {@code XConfig}, a class {@code XMethod} that is registered, and the layer that computes.
 */
package io.peft4j.methods;
