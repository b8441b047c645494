package io.peft4j.cloud.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AddressTest {
    @Test
    void anAddressIsABucketAndAKey() {
        assertEquals(new Address("s3", "bucket", "a/b c.json"), Address.of("s3://bucket/a/b c.json"));
        assertEquals(new Address("gs", "bucket", "a"), Address.of("gs://bucket/a/"));
        assertEquals(new Address("gs", "bucket", ""), Address.of("gs://bucket"));
        assertEquals("gs://bucket/a/b", Address.of("gs://bucket/a").resolve("b").toString());
    }

    @ParameterizedTest
    @ValueSource(strings = {"s3://", "s3:///key", "gs://bucket/../etc", "gs://bucket/a//b", "gs://bucket/a/./b",
        "gs://bucket/a\\..\\b"})
    void whatLeadsOutOfItsFolderIsRefused(String text) {
        assertTrue(assertThrows(ConfigurationException.class, () -> Address.of(text)).getMessage().contains("s3://")
                || assertThrows(ConfigurationException.class, () -> Address.of(text)).getMessage()
                        .contains("is not a path"));
    }
}
