/** What is used of parquetjs-lite 0.8, which brings no types. */
declare module 'parquetjs-lite' {
  namespace parquet {
    interface ParquetColumn {
      readonly type: 'UTF8' | 'JSON' | 'BOOLEAN' | 'INT64' | 'TIMESTAMP_MICROS';
      readonly optional?: boolean;
      readonly compression?: 'UNCOMPRESSED' | 'SNAPPY' | 'GZIP';
      /** False: no smallest and largest values. Default true. */
      readonly statistics?: boolean;
    }
    interface ParquetOptions {
      /** Rows. */
      readonly rowGroupSize: number;
      /** Rows. */
      readonly pageSize: number;
      readonly useDataPageV2: boolean;
      /** An index of pages, which leaves out a field that the format requires. Default true. */
      readonly pageIndex: boolean;
    }
    interface ParquetSchema {
      readonly fieldList: readonly object[];
    }
    interface ParquetEnvelopeWriter {
      readonly rowCount: number;
    }
    interface ParquetWriter {
      appendRow(row: object): Promise<void>;
      close(): Promise<void>;
    }
    interface ParquetReader {
      getCursor(): { next(): Promise<Readonly<Record<string, unknown>> | null> };
      close(): Promise<void>;
    }
  }
  const parquet: {
    readonly ParquetSchema: new (columns: Readonly<Record<string, parquet.ParquetColumn>>) => parquet.ParquetSchema;
    readonly ParquetEnvelopeWriter: new (
      schema: parquet.ParquetSchema,
      write: (bytes: Buffer) => void | Promise<void>,
      close: () => void | Promise<void>,
      offset: number,
      options: parquet.ParquetOptions,
    ) => parquet.ParquetEnvelopeWriter;
    readonly ParquetWriter: new (
      schema: parquet.ParquetSchema,
      envelope: parquet.ParquetEnvelopeWriter,
      options: parquet.ParquetOptions,
    ) => parquet.ParquetWriter;
    readonly ParquetReader: { openBuffer(bytes: Buffer): Promise<parquet.ParquetReader> };
  };
  export = parquet;
}
