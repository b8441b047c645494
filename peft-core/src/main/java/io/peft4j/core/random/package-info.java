/**
 * The random numbers of other libraries, for adapters whose files leave out what a seed gives:
 * {@link io.peft4j.core.random.TorchRandom} and {@link io.peft4j.core.random.NumpyRandom}.
 */
@io.peft4j.core.Internal(shared = true)
@org.jspecify.annotations.NullMarked
package io.peft4j.core.random;
