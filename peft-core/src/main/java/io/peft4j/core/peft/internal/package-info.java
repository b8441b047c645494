/** Adapters that are computed from others: {@link io.peft4j.core.peft.internal.DerivedAdapter}. */
package io.peft4j.core.peft.internal;
