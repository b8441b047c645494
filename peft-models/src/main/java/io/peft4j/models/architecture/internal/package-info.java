/**
 * What a network is loaded with, guarded and closed by: {@link io.peft4j.models.architecture.internal.ModelTensor},
 * {@link io.peft4j.models.architecture.internal.BatchChecks}, {@link io.peft4j.models.architecture.internal.CloseAll}.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.models.architecture.internal;
