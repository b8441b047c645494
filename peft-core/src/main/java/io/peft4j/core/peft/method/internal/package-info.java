/**
 * What the methods of this library share beside the contract: looks into the base model
 * ({@link io.peft4j.core.peft.method.internal.LayerProbe}), what merging changes
 * ({@link io.peft4j.core.peft.method.internal.WeightChange}), and values that are computed once
 * ({@link io.peft4j.core.peft.method.internal.Remembered}).
 */
package io.peft4j.core.peft.method.internal;
