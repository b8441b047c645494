/**
 * What the methods of this library share beside the contract: looks into the base model
 * ({@link io.peft4j.core.peft.method.support.LayerProbe}), what merging changes
 * ({@link io.peft4j.core.peft.method.support.MergeDelta}), and values that are computed once
 * ({@link io.peft4j.core.peft.method.support.CachedValue}).
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.core.peft.method.support;
