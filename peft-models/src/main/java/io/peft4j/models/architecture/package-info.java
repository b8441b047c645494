/**
 * What {@code config.json} says of a model: {@link io.peft4j.models.architecture.ModelConfig}. How a checkpoint becomes
 * a network is in {@code support}.
 */
@io.peft4j.core.Internal(shared = true)
@org.jspecify.annotations.NullMarked
package io.peft4j.models.architecture;
