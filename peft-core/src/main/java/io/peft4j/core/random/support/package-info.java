/**
 * The random numbers of other libraries, for adapters whose files leave out what a seed gives:
 * {@link io.peft4j.core.random.support.TorchRandom} and {@link io.peft4j.core.random.support.NumpyRandom}.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.core.random.support;
