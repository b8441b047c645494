/** What jars on the class path add to the library: {@link io.peft4j.core.support.Registered}. */
@org.jspecify.annotations.NullMarked
package io.peft4j.core.support;
