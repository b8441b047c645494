/** Adapters that are computed from others: {@link io.peft4j.core.peft.support.DerivedAdapter}. */
@org.jspecify.annotations.NullMarked
package io.peft4j.core.peft.support;
