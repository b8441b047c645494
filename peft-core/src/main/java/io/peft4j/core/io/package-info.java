/** What happens to files that are there already: {@link io.peft4j.core.io.IfExists}. */
@org.jspecify.annotations.NullMarked
package io.peft4j.core.io;
