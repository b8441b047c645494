/** Seeds that follow from one: {@link io.peft4j.data.pack.support.Seeds}. */
@org.jspecify.annotations.NullMarked
package io.peft4j.data.pack.support;
