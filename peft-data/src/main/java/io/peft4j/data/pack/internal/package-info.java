/** Seeds that follow from one: {@link io.peft4j.data.pack.internal.Seeds}. */
package io.peft4j.data.pack.internal;
