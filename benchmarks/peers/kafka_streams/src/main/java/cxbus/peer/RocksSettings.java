package cxbus.peer;

import java.util.Map;
import org.apache.kafka.streams.state.RocksDBConfigSetter;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.Cache;
import org.rocksdb.LRUCache;
import org.rocksdb.Options;
import org.rocksdb.WriteBufferManager;

/** RocksDB for point lookups, with one bound on its memory for all stores of the process, as Kafka's manual has it. */
public final class RocksSettings implements RocksDBConfigSetter {

    private static final long MIB = 1024 * 1024;
    private static final Cache MEMORY = new LRUCache(384 * MIB);
    /** Memtables are counted in the cache, so that they and the blocks share the bound. */
    private static final WriteBufferManager MEMTABLES = new WriteBufferManager(192 * MIB, MEMORY);

    @Override
    public void setConfig(String store, Options options, Map<String, Object> configs) {
        BlockBasedTableConfig table = (BlockBasedTableConfig) options.tableFormatConfig();
        table.setBlockCache(MEMORY);
        table.setCacheIndexAndFilterBlocks(true);
        table.setCacheIndexAndFilterBlocksWithHighPriority(true);
        table.setPinTopLevelIndexAndFilter(true);
        options.setWriteBufferManager(MEMTABLES);
        options.setWriteBufferSize(32 * MIB);
        options.setMemtablePrefixBloomSizeRatio(0.1).setMemtableWholeKeyFiltering(true);
        options.setOptimizeFiltersForHits(false); // most keys that are asked for are not there
    }

    @Override
    public void close(String store, Options options) {
        // memory belongs to the process, not to a store
    }
}
