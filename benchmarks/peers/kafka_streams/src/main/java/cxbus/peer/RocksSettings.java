package cxbus.peer;

import java.util.Map;
import org.apache.kafka.streams.state.RocksDBConfigSetter;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.Cache;
import org.rocksdb.LRUCache;
import org.rocksdb.Options;

/** RocksDB for point lookups: one block cache for all stores of the process, and room to write. */
public final class RocksSettings implements RocksDBConfigSetter {

    private static final long MIB = 1024 * 1024;
    private static final Cache BLOCKS = new LRUCache(256 * MIB);

    @Override
    public void setConfig(String store, Options options, Map<String, Object> configs) {
        BlockBasedTableConfig table = (BlockBasedTableConfig) options.tableFormatConfig();
        table.setBlockCache(BLOCKS);
        options.setWriteBufferSize(32 * MIB);
        options.setMemtablePrefixBloomSizeRatio(0.1).setMemtableWholeKeyFiltering(true);
        options.setOptimizeFiltersForHits(false); // most keys are not there
    }

    @Override
    public void close(String store, Options options) {
        // the cache belongs to the process
    }
}
