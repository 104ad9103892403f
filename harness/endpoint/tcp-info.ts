/** TCP_INFO, decoded. */
export type TcpInfo = Readonly<Record<string, number | string | bigint>>;
