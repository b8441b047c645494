/** Objects in a storage, and how they come here and go there. Open {@code Transfer} first. */
package io.peft4j.cloud.storage.internal;
