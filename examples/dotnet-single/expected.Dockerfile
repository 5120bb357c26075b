FROM mcr.microsoft.com/dotnet/sdk:8.0
WORKDIR /app
COPY . .
RUN dotnet publish src/Greet/Greet.csproj -c Release -o out
ENTRYPOINT ["dotnet", "out/Greet.dll"]
