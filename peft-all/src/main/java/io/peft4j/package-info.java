/**
 * The artifact that an application depends on. It holds no code: it pulls the modules that an application needs.
 */
package io.peft4j;
