/**
 * The methods of fine-tuning beside the low-rank family: scaled activations (IA3), norms, biases, virtual tokens,
 * rotations, sparse and circulant changes, bottleneck adapters, and full fine-tuning. They wrap layers found by path
 * and know no model. Open {@link io.peft4j.methods.HraConfig} first: each method is its configuration {@code XConfig},
 * which says what it computes, a class {@code XMethod} that is registered, and a layer, which lie in
 * {@link io.peft4j.methods}. {@link io.peft4j.core.peft.config.Placement} says where a method's layers sit.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.methods;
