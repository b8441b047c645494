/** What Quarkus does with the extension while it builds an application. */
@org.jspecify.annotations.NullMarked
package io.peft4j.quarkus.deployment;
