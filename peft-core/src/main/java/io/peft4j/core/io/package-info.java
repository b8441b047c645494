/** What happens to files that are there already: {@link io.peft4j.core.io.IfExists}. */
package io.peft4j.core.io;
