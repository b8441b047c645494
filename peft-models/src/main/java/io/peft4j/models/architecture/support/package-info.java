/**
 * How a checkpoint becomes a network. Open {@link io.peft4j.models.architecture.support.Architecture} first: one
 * implementation a family of models, found by {@link io.peft4j.models.architecture.support.Architectures}.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.models.architecture.support;
